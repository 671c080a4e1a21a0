//! dev
#![allow(clippy::all, clippy::disallowed_methods, clippy::print_stdout, missing_docs, clippy::unwrap_used)]
use domain::customer::matching::{*, bulk::*, cluster::*, person::{Place}, };
use std::collections::*;
use std::time::Instant;
fn main(){
    let path=std::env::args().nth(1).unwrap();
    let text=std::fs::read_to_string(&path).unwrap();
    let mut ids=vec![]; let t=Instant::now();
    let mut people=vec![];
    for l in text.lines().skip(1){
        let c:Vec<&str>=l.split(',').collect();
        ids.push(c[0].to_owned());
        let o=|s:&str| vec![s.to_owned()];
        people.push(Person::new(&Facts{given_names:o(c[1]),family_names:o(c[2]),birth_dates:o(c[9].trim_end_matches(".0")),
          addresses:vec![Place{street:vec![format!("{} {}",c[3].trim_end_matches(".0"),c[4]),c[5].to_owned()],city:Some(c[6].into()),postal_code:Some(c[7].trim_end_matches(".0").into()),region:Some(c[8].into())}],..Default::default()}));
    }
    let crowd:Crowd=people.iter().cloned().collect();
    println!("read {:?} {}",t.elapsed(),crowd.len());
    let ent:Vec<&str>=ids.iter().map(|i|i.split('-').nth(1).unwrap()).collect();
    let mut groups:HashMap<&str,u64>=HashMap::new(); for e in &ent {*groups.entry(e).or_default()+=1;}
    let truth:u64=groups.values().map(|n|n*(n-1)/2).sum();
    for trained in [false,true]{
    let t=Instant::now();
    let mut model=Model::built_in().among(crowd.len());
    if trained { model=train::train(&crowd,&model,1).unwrap(); 
      if std::env::var("HOUSE").is_err() { let mut p=model.parts().clone(); p.keeps_households_apart=false; p.place_max=100000; model=Model::new(p).unwrap(); }
      for f in Field::ALL { print!("{}:",f.word()); for l in level::Level::ALL {let s=model.parts().shares[f.place()][l.place()]; print!(" {:.1}({:.4}/{:.6})",model.weight(f,l) as f64/1000.0, s.same as f64/1e9,s.others as f64/1e9);} println!(); } }
    println!("train {:?} prior {} bands {:?}",t.elapsed(),model.parts().prior,model.parts().bands);
    let t=Instant::now();
    let found=pairs(&crowd,&model,Effort{threads:Threads::Two,floor:-10000}).unwrap();
    let el=t.elapsed();
    println!("pairs {:?} compared {} kept {} parted {} left {:?}",el,found.compared,found.pairs.len(),found.parted,found.left_out);
    // blocking completeness
    let mut all=Effort{threads:Threads::One,floor:-1000000}; all.floor=-1000000;
    let reach=pairs(&crowd,&model,all).unwrap().pairs.iter().filter(|p|ent[p.one as usize]==ent[p.other as usize]).count();
    println!("true pairs {truth} reached {reach} = {:.5}",reach as f64/truth as f64);
    for th in [-5000,-3000,-1000,0,1000,3000,5000,8000]{
      let (mut tp,mut fp)=(0u64,0u64); for p in &found.pairs { if p.score>=th { if ent[p.one as usize]==ent[p.other as usize]{tp+=1}else{fp+=1} } }
      let t=Instant::now();
      let ps:Vec<(u32,u32,i32)>=found.pairs.iter().map(|p|(p.one,p.other,p.score)).collect();
      let cl=clusters(&ps,Linkage{least:th,absent:-12000}); let el=t.elapsed();
      let (mut ctp,mut cfp)=(0u64,0u64); for c in &cl { for i in 0..c.len(){for j in 0..i { if ent[c[i] as usize]==ent[c[j] as usize]{ctp+=1}else{cfp+=1} } } }
      let f=|tp:u64,fp:u64| format!("P {:.5} R {:.5} F1 {:.5}",tp as f64/(tp+fp) as f64,tp as f64/truth as f64,2.0*tp as f64/(tp+fp+truth) as f64);
      println!("th {th}: pairs {} | clusters {} {} {:?}",f(tp,fp),f(ctp,cfp),cl.len(),el);
    }
    if trained && std::env::var("SHOW").is_ok(){
      let mut s:HashMap<(u32,u32),i32>=HashMap::new(); for p in &found.pairs{s.insert((p.one,p.other),p.score);}
      let mut n=0;
      for p in &found.pairs { let same=ent[p.one as usize]==ent[p.other as usize]; if (p.score>=0)!=same && n<40 { n+=1; println!("{} {}\n  {}\n  {}",if same{"MISS"}else{"WRONG"},p.score,text.lines().nth(p.one as usize+1).unwrap(),text.lines().nth(p.other as usize+1).unwrap()); } }
    }
    }
}
